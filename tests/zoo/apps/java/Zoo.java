import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** An application in Java with the defect that its argument names, or none. */
public class Zoo {
    static final List<byte[]> kept = new ArrayList<>();
    static volatile long beats;

    static void respond(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes();
        exchange.getResponseHeaders().set("Content-Type", "text/html");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    /** Append to a file beside the application. */
    static void count(HttpExchange exchange) throws IOException {
        try {
            Path file = Files.createDirectories(Path.of("data")).resolve("visits.txt");
            Files.writeString(file, "visit\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            respond(exchange, 200, "counted");
        } catch (IOException error) {
            error.printStackTrace();
            respond(exchange, 500, "failed");
        }
    }

    /** Keep a megabyte, outside the heap's limit of small machines. */
    static void keep(HttpExchange exchange) throws IOException {
        synchronized (kept) {
            byte[] block = new byte[1 << 20];
            Arrays.fill(block, (byte) 7);
            kept.add(block);
        }
        respond(exchange, 200, "kept");
    }

    static void wait(HttpExchange exchange) throws IOException {
        try {
            Thread.sleep(45_000);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        respond(exchange, 200, "late");
    }

    public static void main(String[] words) throws IOException {
        String defect = words[0];
        String host = defect.equals("address") ? "127.0.0.2" : "0.0.0.0";
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress(host, port), 0);
        if (!defect.equals("one-thread")) {
            server.setExecutor(Executors.newFixedThreadPool(4));
        }
        if (defect.equals("scheduled")) {
            Executors.newScheduledThreadPool(1)
                    .scheduleAtFixedRate(() -> beats++, 0, 200, TimeUnit.MILLISECONDS);
        }
        server.createContext("/", exchange -> {
            switch (defect) {
                case "file" -> count(exchange);
                case "heap" -> keep(exchange);
                default -> respond(exchange, 200, "<a href='/there'>there</a>");
            }
        });
        server.createContext("/there", exchange -> {
            if (defect.equals("one-thread")) {
                wait(exchange);
            } else {
                respond(exchange, 200, "<p>there</p>");
            }
        });
        server.start();
    }
}
