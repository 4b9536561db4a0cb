import Daemon

Program.run()
