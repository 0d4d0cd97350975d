"""What a benchmark leaves behind: JSON for programs, a Markdown page and plots for people."""
