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
      # `folder` is beside the built program and does not exist (who could make it could replace the program as well); in
      # backtraces it tells whose code it is. As an entry of the load path, with the features below it, it makes `require
      # "kleinhirn_loader"` find the gem as a folder would, and before any other copy of it: Ruby asks for features before
      # it looks for files, and so does bootsnap, which lets a folder be missing, but not be below a file. All features are
      # named now, since each change to that list makes Ruby read all of it again.
      def mount(folder, sources, executable)
        @folder = folder
        @sources = sources
        $LOAD_PATH.unshift("#{folder}/lib")
        $LOADED_FEATURES.concat(sources.keys.grep(/\.rb\z/).map { |name| path(name) })
        $PROGRAM_NAME = path(executable)
      end

      # What the gem's own files call for one another.
      def require(name)
        run("lib/#{name}.rb") if @sources.key?("lib/#{name}.rb")
      end

      # At the top level, as `require` and `load` do it.
      def run(name)
        eval(@sources.delete(name), TOPLEVEL_BINDING, path(name), 1) # rubocop:disable Security/Eval
      end

      private

      def path(name)
        "#{@folder}/#{name}"
      end
    end
  end
end
