"""Pictures that the project draws of itself: `make screenshots`. Not collected by pytest."""
