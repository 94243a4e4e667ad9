"""The mesh of agents: who is in it, who answers for a capability, and what the gateway itself offers there. No I/O."""
