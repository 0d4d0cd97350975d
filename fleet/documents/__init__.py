"""Resources out of YAML text, bounded and all or none."""
