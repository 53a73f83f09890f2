"""Plans and people as files: the bundled ones, reading them, and finding them."""
