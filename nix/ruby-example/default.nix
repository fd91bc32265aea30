# An image with examples/shop, Ruby and the shop's gems, and kleinhirn as its entry point.
{
  callPackage,
  dockerTools,
  kleinhirn,
  ruby,
}:

let
  application = callPackage ./application.nix { };
in

dockerTools.streamLayeredImage {
  name = "kleinhirn-shop";
  tag = kleinhirn.version;

  contents = [ kleinhirn ];

  # The database is here as well; a volume on it keeps the orders.
  extraCommands = ''
    mkdir -m 1777 tmp
  '';

  config = {
    Entrypoint = [ "/bin/kleinhirn" ];
    Cmd = [
      "run"
      "--config-file"
      "${application}/kleinhirn.toml"
    ];
    User = "65532:65532";
    StopSignal = "SIGTERM";
    Env = [
      "PATH=${ruby}/bin:/bin"
      "GEM_PATH=${application.bundle}"
      "HOME=/tmp"
      "APP_ENV=production"
      "SHOP_DATABASE=/tmp/shop.sqlite3"
      "HOST=0.0.0.0"
      "PORT=8080"
    ];
    ExposedPorts = {
      "3000/tcp" = { };
      "8080/tcp" = { };
    };
  };
}
