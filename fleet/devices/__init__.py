"""What a device says of itself, where it stands, and what each state answers."""
