"""The laptop cloud's server: MiniStack in one process, with what our stacks need added or corrected.

It runs in the ``cloud`` environment and imports neither ``cdk_ml_lens`` nor ``aws_cdk``.
"""
