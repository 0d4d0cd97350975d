"""What changes of resources would do to devices, found without storing anything."""
