"""What is looked at while a benchmark runs: processor time, memory, how far storing is behind, and the machine."""
