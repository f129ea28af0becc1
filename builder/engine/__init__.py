"""BuildKit driven, its images read, and two of them compared."""
