"""scan: the commands of SCAN, made from its grammar, in published or in fresh words."""
