"""The management plane's resources, over HTTP paths as Kubernetes spells them."""
