# frozen_string_literal: true

# The first part of the program that a built kleinhirn writes to Ruby's standard input; script/lib/gem-program.ts appends
# the gem's files. Its only argument of its own is the first: the place by which the files are named.

# What the application starts must not find our program there.
STDIN.reopen(File::NULL)

module KleinhirnLoader
  # Stands in for the gem's folder where the gem is a part of the built program: a container may have no place at all to
  # which files could be unpacked.
  module EmbeddedGem
    @sources = {}

    class << self
      # `folder` is below a file, so that nothing can ever exist there, and backtraces still tell whose code it is. As an
      # entry of the load path, with the features below it, it makes `require "kleinhirn_loader"` find the gem as the
      # folder would, and before any other copy of it: Ruby asks for features before it looks for files, and so do those
      # who replace `require`. All features are named now, since each change to that list makes Ruby read all of it again.
      def mount(folder, sources)
        @folder = folder
        @sources = sources
        $LOAD_PATH.unshift("#{folder}/lib")
        $LOADED_FEATURES.concat(sources.keys.map { |name| path(name) })
      end

      # What the gem's own files call for one another.
      def require(name)
        source = @sources.delete("lib/#{name}.rb")
        run("lib/#{name}.rb", source) if source
      end

      # Runs the gem's executable.
      def start(name)
        $PROGRAM_NAME = path(name)
        run(name, @sources.delete(name))
      end

      private

      def path(name)
        "#{@folder}/#{name}"
      end

      # At the top level, as `require` and `load` do it.
      def run(name, source)
        eval(source, TOPLEVEL_BINDING, path(name), 1) # rubocop:disable Security/Eval
      end
    end
  end
end
