"""What one device is to run, assembled from resources."""
