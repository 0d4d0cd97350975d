"""Commands that read and change resources, as kubectl does."""
