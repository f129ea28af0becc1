"""What `verify` proves: of a lock alone, against recipes, places, the store and a built image."""
