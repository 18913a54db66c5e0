"""The operator's own detection models: finds things in pictures that are blurred already, over HTTP."""
