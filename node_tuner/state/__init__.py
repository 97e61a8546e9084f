"""What was there before the first change, kept through crashes."""
