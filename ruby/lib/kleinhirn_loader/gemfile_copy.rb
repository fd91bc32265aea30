# frozen_string_literal: true

require "kleinhirn_loader/messages"
require "kleinhirn_loader/version"

module KleinhirnLoader
  # The kleinhirn_loader that the application's Gemfile names, where it is not this one.
  #
  # Preloader and supervisor are made for each other, so the copy that comes with kleinhirn is the one that runs, whatever
  # the Gemfile says: it comes by -I, ahead of every gem. The other copy is taken off the load path, because of it Ruby would
  # still load the files that this one lacks, and half of each is neither.
  module GemfileCopy
    # Protocol as the gem's metadata has it; nil where it has none.
    Found = Struct.new(:version, :protocol, :require_paths, keyword_init: true)

    PROTOCOL_KEY = "kleinhirn_protocol"
    REMEDY = "name version #{VERSION} in the Gemfile, or leave it out"
    # By the name that Ruby has for this file: where the gem is built into kleinhirn, it has no other.
    OWN_LIB = File.dirname(File.dirname(__FILE__))

    module_function

    # To be called when the bundle is set up and before the application is loaded. Returns a line for the supervisor's log,
    # or nil where there is no other copy or it is of the same version.
    def set_aside
      copy = find
      return unless copy

      copy.require_paths.each { |path| $LOAD_PATH.delete(path) }
      remark(copy)
    end

    def find
      spec = defined?(Gem) && Gem.loaded_specs["kleinhirn_loader"]
      return unless spec && !spec.full_require_paths.include?(OWN_LIB)

      Found.new(version: spec.version, protocol: spec.metadata[PROTOCOL_KEY], require_paths: spec.full_require_paths)
    end

    # What differs is worth a warning where something may be missing: a newer copy may know methods that this one doesn't,
    # and what workers start with the bundle (or a program that is supervised beside them) speaks the other protocol.
    def remark(copy)
      own = Gem::Version.new(VERSION)
      fields = { gemfile: copy.version.to_s, used: VERSION }
      if copy.protocol && copy.protocol != PROTOCOL.to_s
        Messages.log("warning", "the Gemfile's kleinhirn_loader speaks another protocol than kleinhirn, which uses its own",
                     fields.merge(gemfile_protocol: copy.protocol, protocol: PROTOCOL, remedy: REMEDY))
      elsif copy.version > own
        Messages.log("warning", "the Gemfile's kleinhirn_loader is newer than this kleinhirn, which uses its own",
                     fields.merge(remedy: REMEDY))
      elsif copy.version < own
        Messages.log("info", "the Gemfile's kleinhirn_loader is older than this kleinhirn, which uses its own", fields)
      end
    end
  end
end
