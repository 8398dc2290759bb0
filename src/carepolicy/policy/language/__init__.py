"""The one declaration of the language: every key of a policy file, said once."""
