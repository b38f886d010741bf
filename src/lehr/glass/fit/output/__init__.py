"""A fit for a person or a program: text, figure, file, section of a report."""
