"""Settings, addresses and processes of the whole product."""

import gc

# Python looks for cycles after every 700 new objects, and loading the product makes some hundred thousand: each look finds nothing.
gc.set_threshold(50_000, 20, 20)
