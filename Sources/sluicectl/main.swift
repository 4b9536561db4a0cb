import ArgumentParser

Sluicectl.main()
