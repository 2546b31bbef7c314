package example;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** A small Spring Boot application. Only its handler for events knows of Lambda. */
@SpringBootApplication
@RestController
public class App {

    record Echo(String method, String target, List<List<String>> headers, String body) {}

    record Receipt(Object received) {}

    public static void main(String[] args) {
        SpringApplication.run(App.class, args);
    }

    @GetMapping(path = "/", produces = MediaType.TEXT_PLAIN_VALUE)
    String hello() {
        return "Hello from Spring Boot!\n";
    }

    /** Responds with the request as Tomcat received it. */
    @RequestMapping({"/echo", "/echo/**"})
    Echo echo(HttpServletRequest request) throws IOException {
        String query = request.getQueryString();
        List<List<String>> headers = new ArrayList<>();
        for (String name : Collections.list(request.getHeaderNames())) {
            for (String value : Collections.list(request.getHeaders(name))) {
                headers.add(List.of(name, value));
            }
        }
        return new Echo(
                request.getMethod(),
                request.getRequestURI() + (query == null ? "" : "?" + query),
                headers,
                Base64.getEncoder().encodeToString(request.getInputStream().readAllBytes()));
    }

    @GetMapping(path = "/bytes", produces = MediaType.APPLICATION_OCTET_STREAM_VALUE)
    byte[] everyByte() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    @GetMapping("/cookies")
    ResponseEntity<String> cookies() {
        return ResponseEntity.ok()
                .header(HttpHeaders.SET_COOKIE, "first=1", "second=2; HttpOnly")
                .body("Two cookies for you.\n");
    }

    /**
     * Receives an event that is no HTTP request: from a queue, a schedule, a bucket.
     *
     * <p>A client can POST here too, but the adapter lets only such events have this value.
     */
    @PostMapping("/events")
    Receipt events(
            @RequestHeader(name = "x-amzn-request-context", required = false) String context,
            @RequestBody Object event) {
        if (!"null".equals(context)) {
            throw new ResponseStatusException(HttpStatus.FORBIDDEN);
        }
        return new Receipt(event);
    }

    @GetMapping("/status/{code}")
    ResponseEntity<String> status(@PathVariable int code) {
        return ResponseEntity.status(code).body("Status " + code + ".\n");
    }
}
