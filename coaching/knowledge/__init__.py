"""What the product knows of cooking and asks of a learner: JSON files and the loader that checks them."""
