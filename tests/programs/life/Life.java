// Tomcat as Spring Boot embeds it: /slow takes 30 s, /compute as much of the CPU, and all
// else responds with the number of the process. Its connector's attributes, as "name=value", follow the port.

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

public class Life extends HttpServlet {
  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    if (request.getRequestURI().equals("/slow")) {
      try {
        Thread.sleep(30_000);
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
    }
    if (request.getRequestURI().equals("/compute")) {
      long end = System.nanoTime() + 30_000_000_000L;
      while (System.nanoTime() < end) {}
    }
    response.setContentType("text/plain");
    response.getWriter().print(ProcessHandle.current().pid());
  }

  public static void main(String[] arguments) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
    Connector connector = new Connector();
    connector.setPort(Integer.parseInt(arguments[0]));
    connector.setProperty("address", "127.0.0.1");
    for (int at = 1; at < arguments.length; at++) {
      String[] attribute = arguments[at].split("=");
      connector.setProperty(attribute[0], attribute[1]);
    }
    tomcat.setConnector(connector);
    var context = tomcat.addContext("", null);
    Tomcat.addServlet(context, "life", new Life());
    context.addServletMappingDecoded("/", "life");
    tomcat.start();
    tomcat.getServer().await();
  }
}
