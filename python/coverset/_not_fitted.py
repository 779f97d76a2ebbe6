"""What is raised when a model or an index is used before it was fitted."""


class NotFittedError(ValueError, AttributeError):
    """Raised when something is used before it was fitted; scikit-learn's has the same bases."""
