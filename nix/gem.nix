# The gem's own tests, on nixpkgs' Ruby.
{
  lib,
  runCommand,
  ruby,
}:

runCommand "kleinhirn-loader-tests"
  {
    nativeBuildInputs = [ ruby ];
    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../LICENSE
        ../ruby
      ];
    };
  }
  ''
    export HOME=$TMPDIR
    cd $src
    ruby -Iruby/lib -Iruby/test -e 'ARGV.each { |file| require File.expand_path(file) }.clear' ruby/test/*_test.rb
    touch $out
  ''
