"""What the server posts, and the webhook there."""
