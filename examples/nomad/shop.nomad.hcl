# examples/shop as a Nomad job of three allocations. docs/OPERATIONS.md says why each value is what it is.
job "shop" {
  type = "service"

  update {
    max_parallel     = 1
    canary           = 1
    auto_promote     = true
    auto_revert      = true
    health_check     = "checks"
    min_healthy_time = "5s"
    # As long as load_timeout and ack_timeout together, and some seconds for the image.
    healthy_deadline = "4m"
  }

  group "shop" {
    count = 3

    network {
      port "http" { to = 9292 }
      port "health" { to = 3000 }
    }

    service {
      name = "shop"
      port = "http"

      check {
        name     = "ready"
        type     = "http"
        port     = "health"
        path     = "/readyz"
        interval = "2s"
        timeout  = "2s"
      }

      # 503 when a set is faulted, and only then.
      check {
        name      = "live"
        type      = "http"
        port      = "health"
        path      = "/livez"
        interval  = "10s"
        timeout   = "5s"
        on_update = "ignore"

        check_restart {
          limit = 3
          grace = "3m"
        }
      }
    }

    # Nomad takes the allocation out of the catalogue, waits this long, and only then sends TERM: drain_delay need not wait
    # a second time.
    shutdown_delay = "10s"

    task "shop" {
      driver = "docker"
      user   = "65532:65532"

      config {
        image           = "shop:1.0.0"
        args            = ["run", "-f", "/local/kleinhirn.toml"]
        ports           = ["http", "health"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
      }

      env {
        SHOP_DATABASE = "${NOMAD_ALLOC_DIR}/data/shop.sqlite3"
      }

      template {
        destination = "local/kleinhirn.toml"
        # Nomad restarts a task whose template has changed; this one has nothing that could.
        data = <<-TOML
          [supervisor]
          name = "shop"
          shutdown_timeout = "25s"

          [health_check]
          listen_addr = "0.0.0.0:3000"

          [log]
          format = "json"

          [workers.web]
          type = "ruby"
          cwd = "/app"
          gemfile = "/app/Gemfile"
          load = "/app/config.ru"
          start_expression = "Shop::WebServer.run(KleinhirnLoader.rack_app)"
          count = 2
          min_ready = 1
          ack_timeout = "30s"
          stop_timeout = "20s"
          load_timeout = "2m"

          [workers.jobs]
          type = "ruby"
          cwd = "/app"
          gemfile = "/app/Gemfile"
          load = "/app/config.ru"
          start_expression = "Shop::Packer.run"
          count = 1
          ack_timeout = "30s"
          stop_timeout = "20s"
          load_timeout = "2m"
        TOML
      }

      # More than shutdown_timeout; a client's max_kill_timeout (30s where it isn't set) caps it.
      kill_signal  = "SIGTERM"
      kill_timeout = "30s"

      resources {
        cpu    = 500
        memory = 384
      }
    }
  }
}
