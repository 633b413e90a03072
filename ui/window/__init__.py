"""The window itself: where its parts are built, placed and connected. Nothing below it knows it."""
