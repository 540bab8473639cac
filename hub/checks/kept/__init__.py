"""What is kept, for how long, under which keys, and what a person is told of it."""
