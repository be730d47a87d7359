"""What may leave, and how finely: policies, protection, and the object that is published."""
