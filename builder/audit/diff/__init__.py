"""What changed between locks, the dangerous first. Pure: locks and facts in, changes and texts out."""
