"""What each decoded field is, and what the user changed about it."""
