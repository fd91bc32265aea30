# frozen_string_literal: true

module KleinhirnLoader
  # What the supervisor tells the preloader on its command line; `cwd` and `supervisor_pid` are taken from the process.
  Options = Struct.new(:socket, :name, :version, :generation, :gemfile, :load, :listen_fds, :listen_first_fd, :listen_names,
                       :cwd, :supervisor_pid, keyword_init: true)

  # Their reading, from a command line that only the supervisor writes: every oddity is an error.
  class Options
    class Invalid < StandardError; end

    REQUIRED = %i[socket name version generation load].freeze
    NUMBERS = %i[generation listen_fds listen_first_fd].freeze
    FLAGS = (REQUIRED + %i[gemfile listen_fds listen_first_fd listen_names])
            .to_h { |key| ["--#{key.to_s.tr('_', '-')}", key] }.freeze

    class << self
      # Raises Invalid, which names the argument.
      def parse(arguments)
        values = arguments.each_slice(2).to_h { |flag, value| option(flag, value) }
        missing = REQUIRED.find { |key| !values.key?(key) }
        raise Invalid, "#{FLAGS.key(missing)} is missing" if missing

        new(cwd: Dir.pwd, supervisor_pid: Process.ppid, **values)
      end

      private

      def option(flag, value)
        key = FLAGS.fetch(flag) { raise Invalid, "unknown argument #{flag.inspect}" }
        raise Invalid, "#{flag} needs a value" if value.nil? || value.empty?

        [key, NUMBERS.include?(key) ? number(flag, value) : value]
      end

      def number(flag, value)
        raise Invalid, "#{flag} needs a whole number, not #{value.inspect}" unless value.match?(/\A\d+\z/)

        value.to_i
      end
    end
  end
end
