"""The benchmark: measures the gateway against the simulator and compares the figures with their budgets.

Run it with `python -m scripts.bench` from the project's folder. docs/performance.md says what each figure means.
"""
