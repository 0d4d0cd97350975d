"""What operators ask of the fleet beside its resources, under `/muster/v1`."""
