"""Local servers that behave like the platforms; they share no code with the project they test."""
