# An image with the binary and nothing else but the C library that it needs: no shell, no other init. The configuration and
# the workers' programs are added by images that are built on it.
{
  dockerTools,
  kleinhirn,
}:

dockerTools.streamLayeredImage {
  name = "kleinhirn";
  tag = kleinhirn.version;

  # /bin/kleinhirn, for `kleinhirn ack` and `kleinhirn health`.
  contents = [ kleinhirn ];

  # For the supervisor's socket. Where it can't be written (a read-only root), the socket is in the abstract namespace.
  extraCommands = ''
    mkdir -m 1777 tmp
  '';

  config = {
    Entrypoint = [ "/bin/kleinhirn" ];
    User = "65532:65532";
    StopSignal = "SIGTERM";
    Env = [ "PATH=/bin" ];
  };
}
