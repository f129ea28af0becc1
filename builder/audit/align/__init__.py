"""What public documents claim, what was published, and what our locks hold, side by side."""
