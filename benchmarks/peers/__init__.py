"""What Muster is compared with: programs that do a part of its work, and nothing else."""
