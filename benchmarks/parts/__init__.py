"""What a benchmark runs: an installation of its own on free ports, with a fleet that is registered already."""
