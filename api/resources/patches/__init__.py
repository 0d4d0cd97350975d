"""The patches that clients send: each a function from a resource to what it becomes."""
