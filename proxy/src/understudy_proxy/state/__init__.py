"""What is kept between requests: behind one protocol, in memory or shared by a fleet."""
