"""What will probably happen: profiles of past days, and the sun."""
