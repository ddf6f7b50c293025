"""Environments for libraries of reinforcement learning, over the one grader and the one prompt.

questions (what they share) · library (the world as a library) · trl · verifiers · openenv ·
reasoning_gym · skyrl_gym: one small module for each library
"""
