"""What is private: the keys that seal it, what is sealed with them, who may see it, and its end."""
