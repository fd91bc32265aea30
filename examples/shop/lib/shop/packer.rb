# frozen_string_literal: true

module Shop
  # Works off the orders, one at a time. Asked to stop, it finishes the one in hand.
  class Packer
    # There is no bell that rings in another process when an order comes in, so the packer looks.
    LOOK_EVERY_SECONDS = 0.5

    def self.run
      new.run
    end

    # The block is the packing itself; it gets the order.
    def initialize(orders = Orders.new, &packing)
      @orders = orders
      @packing = packing || ->(_order) { sleep Float(ENV.fetch("SHOP_PACKING_SECONDS", "1.5")) }
      @name = "#{Supervision.worker} #{Process.pid}"
      # A signal handler may do very little; writing to a pipe is allowed, and wakes the waiting below.
      @stop_reader, @stop_writer = IO.pipe
    end

    def run
      %w[TERM INT].each { |signal| Signal.trap(signal) { stop } }
      Supervision.ready
      until stopping?
        order = @orders.take(packer: @name)
        order ? pack(order) : wait(LOOK_EVERY_SECONDS)
      end
    end

    # Safe in a signal handler. Repeats are harmless.
    def stop
      @stop_writer.write_nonblock(".", exception: false)
    end

    private

    def stopping?
      wait(0)
    end

    # True when it was asked to stop meanwhile.
    def wait(seconds)
      !@stop_reader.wait_readable(seconds).nil?
    end

    def pack(order)
      @packing.call(order)
      @orders.finish(order.id, packer: @name)
    end
  end
end
