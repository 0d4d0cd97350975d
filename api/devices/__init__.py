"""The device plane: the six calls the Edge API makes, and what follows from them."""
