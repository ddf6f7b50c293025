"""Questions: one module for each kind of question set, and what they share.

sets (the shape of all of them) · prompts · contexts · records · certificates · multihop (training
and the test levels) · openbook · kinds (the sets beyond the levels) · probes
"""
