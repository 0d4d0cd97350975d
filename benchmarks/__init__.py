"""What Muster costs and how fast it is: each module asks one question and checks its results before its speed."""
