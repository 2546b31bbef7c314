// Rendered by its first request, kept, and rendered again at most once a minute.
export const revalidate = 60;

export function generateStaticParams() {
  return []; // none when the image is built
}

export default async function Page({ params }) {
  const { id } = await params;
  return (
    <p>
      Post {id}, rendered at {new Date().toISOString()}
    </p>
  );
}
