"""Our own checks of synthesized templates, by best practice of the Machine Learning Lens, and the report of them."""
